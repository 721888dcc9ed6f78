"""The clearance back end: joins assessments into the one customs response per item version."""
