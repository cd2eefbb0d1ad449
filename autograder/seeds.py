"""Seeds of hidden inputs: different for each student, the same on every run, not to be guessed."""

import hashlib
import hmac


def submission_seed(course_key, assignment, student, attempt=1):
    """Return the seed (63 bits) of one student's hidden inputs, by HMAC-SHA256 under the course key (bytes)."""
    message = "\0".join([assignment, student, str(attempt)]).encode("utf-8", "surrogatepass")
    return int.from_bytes(hmac.digest(course_key, message, hashlib.sha256)[:8], "big") >> 1


def check_generator(seed, check_id):
    """Return the numpy Generator of one check; it does not depend on which other checks run."""
    import numpy as np  # only the checks need it, not the command

    digest = hashlib.sha256(f"{seed}\0{check_id}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))
