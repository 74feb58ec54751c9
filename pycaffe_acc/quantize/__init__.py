"""From a float net and images to a quantized net: the vendor's tools and this package's own methods."""
