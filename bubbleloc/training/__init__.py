"""How training runs: what Lightning is given beside the network, so that nothing is lost."""
