"""From tracks to maps of vessels, their scores, and the page that shows them."""
