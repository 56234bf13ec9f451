"""From the RF lines of an array to images of its bubbles."""
