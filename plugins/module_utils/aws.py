# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every module of ours needs around an AWS call: errors, retries, and a clean end.

An AWS call is one function of one line, decorated by an error handler over a retry::

    BucketErrors = error_handler("NoSuchBucket", "404")

    @BucketErrors.list_error_handler("get bucket tagging", {})
    @AWSRetry.jittered_backoff()
    def get_bucket_tagging(client, bucket):
        return client.get_bucket_tagging(Bucket=bucket)
"""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.errors import AWSErrorHandler
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule


def error_handler(*missing_codes: str) -> type[AWSErrorHandler]:
    """An error handler whose ``list_`` and ``deletion_`` forms take these AWS error codes for "is not there".

    :param missing_codes: error codes by which the service says that the resource does not exist.
    :returns: a subclass of amazon.aws's ``AWSErrorHandler``; errors are raised as ``AnsibleAWSError``.
    """

    class Handler(AWSErrorHandler):
        @classmethod
        def _is_missing(cls) -> t.Any:
            return is_boto3_error_code(list(missing_codes))

    return Handler


def run_module(module: AnsibleAWSModule, run: t.Callable[[AnsibleAWSModule], dict[str, t.Any]]) -> None:
    """Run a module's body and end it: with its result, or with one clear error.

    :param module: the module.
    :param run: takes the module, returns what ``exit_json`` gets.
    """
    try:
        result = run(module)
    except AnsibleAWSError as error:
        module.fail_json_aws_error(error)
    else:
        module.exit_json(**result)
