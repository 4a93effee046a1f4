"""Other engines than that of one machine: the stages of `samestory.pipeline` as jobs of Apache Spark.

No stage is told twice. Spark moves bundles and blobs about; in its workers the same functions and kernels
work on *small corpora* of whole groups (whole sites, whole components), numbered in input order. All
that is decided depends on the order, texts, ids and times of the articles of a group alone, and so the
result is that of the local engine, whatever the number of partitions.

::

    reading      units of the input → bundles of articles: folded text, sketch, fingerprints
    numbering    the place of every article in the input, from the units' counts
    repeats      ids that occur twice
    placing      articles → their sites
    singles      how many of its fingerprints no other article has
    furnishing   whole sites: furniture learnt and taken out → bundles anew
    banding      articles of one bucket → edges to the least of them
    connecting   edges → components (large-star and small-star)
    verifying    whole components → verdicts on articles and pairs
    partials     fingerprints of the delegates → pairs to compare; whole linked clusters → verdicts anew
    stories      one task: stories of the clusters
    finishing    verdicts and metadata → the promised tables, in input order

What helps the stages: `bundles` (articles many to a row, sent by key), `blobs` (arrays as bytes, the
partition a row goes to), `rows` (columns of articles and verdicts), `gathered` (a small corpus of the
bundles of one partition). The driver's part: `job` (settings, partitions, time), `frames` (DataFrames kept),
`assigning` (values brought to the bundles of their articles), `relating` (partial copies), `duplicates` (all
stages in order), `tables` and `folder` (what comes in and goes out), `facts`, `session`.
"""
