"""What trains, captions and merges, each in a process of its own: `python -m trainer COMMAND CONFIG`."""
