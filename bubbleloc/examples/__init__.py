"""Published tasks outside ultrasound, to compare the layers with what others report."""
