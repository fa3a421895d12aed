"""Recipes, a ledger, blobs and backends, wired together once: what the command line and the routes both work on."""
