"""Worker processes: what is to be done stands in a folder each, one is at work at a time, and its JSON lines tell how far it is."""

from lib_extension.jobs.jobs import Jobs, jobs_at
from lib_extension.jobs.kinds import KINDS, JobKind

__all__ = ["KINDS", "JobKind", "Jobs", "jobs_at"]
