"""The methods, a file for each idea; `options.METHODS` lists them."""
