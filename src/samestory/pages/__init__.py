"""A web page as an article: its characters, its main text, and what it says of itself.

Runs in processes of its own (`samestory.pages.worker`): pages are made by strangers, and some keep
any parser busy for hours or bring it down. So nothing here may import the rest of the package, which
takes long to load, and nothing but the worker imports `samestory.pages.extract`, which needs the
extra ``[html]``. `samestory.read.pagepool` runs the workers.
"""
