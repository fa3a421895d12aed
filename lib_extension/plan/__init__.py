"""Recipe and rows in, every stage of every item out, each with its key: known before anything runs."""
