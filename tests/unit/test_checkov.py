from tools.checkov import complaints

LIST = "skip-check:\n  - CKV_AWS_1 # we know\n  - CKV_AWS_2\n"


def test_what_fails_must_be_listed_with_a_reason_and_what_is_listed_must_fail() -> None:
    assert complaints({"CKV_AWS_1": {"Bucket"}, "CKV_AWS_3": {"Topic", "Queue"}}, LIST) == [
        "CKV_AWS_3: Queue, Topic",
        "CKV_AWS_2 is skipped, but nothing fails it",
        "CKV_AWS_2 is skipped without a reason",
    ]
