"""The guards of long jobs: no slice twice, nothing after a cancellation, nothing for others."""

from tools.guard import OPERATIONS, RACES, Guard

_JOBS = f"{OPERATIONS}/test_long_jobs.py"
_FILE = "portal/core/long_jobs.py"

LONG_JOBS = (
    Guard(
        name="lock: the job, for a slice of it",
        file=_FILE,
        edits=(
            (
                "LongJob.objects.select_for_update(no_key=True).filter(pk=job_id).first()",
                "LongJob.objects.filter(pk=job_id).first()",
            ),
        ),
        tests=(f"{RACES}/test_long_jobs.py",),
    ),
    Guard(
        name="long job: a slice that was committed is not done again",
        file=_FILE,
        edits=((" and job.slices == number and ", " and "),),
        tests=(_JOBS,),
    ),
    Guard(
        name="long job: nothing is done after its end",
        file=_FILE,
        edits=((" and job.state in OPEN else None", " else None"),),
        tests=(_JOBS,),
    ),
    Guard(
        name="long job: its owner may still have it, while it is done",
        file=_FILE,
        edits=(("    if not wanted.may(job):\n", "    if False:\n"),),
        tests=(_JOBS,),
    ),
    Guard(
        name="long job: its owner may still have it, when it is looked at",
        file=_FILE,
        edits=(("if job is None or not kind_of(job).may(job):", "if job is None:"),),
        tests=(_JOBS,),
    ),
    Guard(
        name="long job: it is its owner's alone",
        file=_FILE,
        edits=(("LongJob.objects.filter(_owned_by(caller), ", "LongJob.objects.filter("),),
        tests=(_JOBS,),
    ),
    Guard(
        name="long job: a call asks once",
        file=_FILE,
        edits=(("call=acts.call_id(name, caller, arguments)", "call=acts.new_key()"),),
        tests=(_JOBS,),
    ),
    Guard(
        name="long job: a secret is encrypted",
        file=_FILE,
        edits=(
            ("_vault().encrypt(did.content) if wanted.secret else did.content", "did.content"),
            ("yield _vault().decrypt(content) if secret else content", "yield content"),
        ),
        tests=(_JOBS,),
    ),
    Guard(
        name="long job: a secret is erased soon after it was taken",
        file=_FILE,
        edits=(("if secret and job.taken_at is None:", "if False:"),),
        tests=(_JOBS,),
    ),
    Guard(
        name="long job: nothing stays of who left",
        file="accounts/leaving.py",
        edits=(("    long_jobs.forget(user_id=user.pk)\n", ""),),
        tests=(_JOBS,),
    ),
)
