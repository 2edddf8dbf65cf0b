"""The public test corpora, run on the product's own code paths. See docs/conformance.md."""
