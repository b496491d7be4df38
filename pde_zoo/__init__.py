"""Named problems and families, and the suites that publish figures for them."""
