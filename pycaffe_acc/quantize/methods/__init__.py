"""One quantization method a file; the file's name is the method's. What such a module holds: `pycaffe_acc.quantize.method.Method`."""
