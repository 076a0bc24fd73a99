"""One module per declared model: from a declaration of the study file to an estimator of `holdfast.stats`."""
