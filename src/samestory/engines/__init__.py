"""Other engines than that of one machine: the stages of `samestory.pipeline` as jobs of Apache Spark.

No stage is told twice. Spark moves rows and blobs about; in its workers the same functions and kernels
work on *small corpora* of whole groups (whole sites, whole components), numbered in input order. All
that is decided depends on the order, texts, ids and times of the articles of a group alone, and so the
result is that of the local engine, whatever the number of partitions.

::

    reading      units of the input → rows: folded text, sketch, fingerprints (`rows.READ`)
    numbering    the place of every article in the input, from the units' counts
    singles      how many of its fingerprints no other article has
    furnishing   whole sites: furniture learnt and taken out → rows anew (`rows.CLEAN`)
    banding      articles of one bucket → edges to the least of them
    connecting   edges → components (large-star and small-star)
    verifying    whole components → clusters and pairs (`rows.VERDICT`)
    partials     fingerprints of the delegates → pairs to compare; whole linked clusters → verdicts anew
    stories      one task: stories of the clusters
    outcome      verdicts and metadata → the promised tables, in input order

What helps the stages: `blobs` (arrays as bytes, the partition a row goes to), `rows` (schemas, Arrow
columns as arrays and back), `gathered` (a small corpus of the rows of one partition), `session` (Java,
the session of the command line). The driver's part is in `duplicates`.
"""
