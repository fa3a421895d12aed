"""The data of a training: pictures and captions from folders to batches, with caches of what is slow to compute."""
