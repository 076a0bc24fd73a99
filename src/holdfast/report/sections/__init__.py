"""The parts of a report, one module each: from `Source` to a `Section`, or None where there is nothing to say."""
