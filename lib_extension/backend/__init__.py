"""What generates the pictures: a WebUI or the embedded engine, over HTTP or inside the same process."""
