"""What belongs to the WebUI that the extension runs in."""
