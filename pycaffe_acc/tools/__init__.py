"""The command line: `pycaffe-acc VERB`, one verb a file."""
