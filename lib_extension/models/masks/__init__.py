"""Masks that are found in a picture: a file for each way, and the list of them in networks.py."""
