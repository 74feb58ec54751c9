"""One evaluation on several machines: workers with a net each, which take shares of the images in turn."""
