"""A request that must not be lost: jobs, their journal, their queue and the worker."""
