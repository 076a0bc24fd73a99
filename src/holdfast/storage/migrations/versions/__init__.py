"""One module per step; its `revision` is the name that a store keeps."""
