"""Accuracy and throughput of a net over the same images, in one report."""
