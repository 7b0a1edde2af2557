"""What a backend that answers at once remembers of its jobs, so that the same id gives the same signature while the process lives."""

from collections import OrderedDict
from typing import Final

from tokenx_chain.signers.errors import JobConflict, UnknownJob
from tokenx_chain.signers.jobs import SignJob

REMEMBERED: Final = 10_000


class JobLedger:
    """The latest jobs by id. A job that was forgotten is submitted again; nothing durable depends on this."""

    def __init__(self, capacity: int = REMEMBERED) -> None:
        self._capacity = capacity
        self._jobs: OrderedDict[str, tuple[bytes, str, SignJob]] = OrderedDict()

    def find(self, job_id: str, *, digest: bytes, key_ref: str) -> SignJob | None:
        """The job, if it is known. Raises JobConflict when the id was used for something else."""
        held = self._jobs.get(job_id)
        if held is None:
            return None
        if held[:2] != (digest, key_ref):
            raise JobConflict(f"job {job_id} was used for another digest or key")
        return held[2]

    def get(self, job_id: str) -> SignJob:
        """Raises UnknownJob."""
        held = self._jobs.get(job_id)
        if held is None:
            raise UnknownJob(f"no job {job_id}")
        return held[2]

    def keep(self, job: SignJob, *, digest: bytes, key_ref: str) -> SignJob:
        """Remember a job that has ended; returns it."""
        self._jobs[job.job_id] = (digest, key_ref, job)
        while len(self._jobs) > self._capacity:
            self._jobs.popitem(last=False)
        return job
