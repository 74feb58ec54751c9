"""The vendor's example runners: lists of images through a net or an offline model, with its lines and figures."""
