"""Setting up: the worker's environment and the commands of install.py. Standard library only."""
