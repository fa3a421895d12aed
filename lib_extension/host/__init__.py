"""What belongs to the WebUI that the extension runs in: the only place that imports `modules.*`."""
