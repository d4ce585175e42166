"""Differences between Podman and Docker, measured with 4.3.1 (bookworm) and 5.4.2 (trixie).

Each row: what Podman does, and the tests that show it. A test that passes although a steady difference was expected
fails the run, so that this table stays true. ``docs/podman.md`` tells users the same.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

BOTH = ("podman-bookworm", "podman-trixie")
OLD = ("podman-bookworm",)
NEW = ("podman-trixie",)

CREATE = "test_container_api_create.py::"
LIFE = "test_container_api_lifecycle.py::"
STREAMS = "test_container_api_streams.py::"
OPTION = f"{CREATE}TestHostConfig::test_option_arrives|"


class Difference(NamedTuple):
    """One difference between Podman and Docker.

    ``tests`` are ``file.py`` or ``file.py::Class::test``, or with ``|part`` only where the parameters hold that part.
    """

    what: str
    engines: tuple[str, ...]
    tests: tuple[str, ...]
    steady: bool = True  # False where it depends on timing: the test may pass
    hangs: bool = False  # True where the test would wait for what never comes


DIFFERENCES = [
    Difference(
        "has no BuildKit",
        BOTH,
        (
            *("test_buildkit_cache.py", "test_buildkit_context.py", "test_buildkit_failures.py"),
            *("test_buildkit_options.py", "test_buildkit_remote.py", "test_buildkit_session.py"),
        ),
        hangs=True,
    ),
    Difference(
        "unpacks archives by its own rules: it keeps their owners, and refuses no tmpfs",
        BOTH,
        (
            "test_copy.py::test_options_of_putting_archives",
            "test_copy.py::test_writing_to_a_tmpfs_is_refused",
        ),
    ),
    Difference(
        "writes the image's settings into a container's",
        BOTH,
        ("test_containers.py::test_ensure_keeps_what_is_in_anonymous_volumes",),
    ),
    Difference(
        "listens at one address only; these engines' is a socket",
        BOTH,
        (
            "test_container_api_basics.py::test_tcp_answers_the_same",
            "test_container_api_basics.py::test_streams_over_tcp",
            "test_exec_objects.py::test_over_tcp",
        ),
    ),
    # --- names of images
    Difference(
        "gives images full names: docker.io/library/busybox:latest, and the label io.buildah.version",
        BOTH,
        (
            "test_container_api_basics.py::test_image_import_tag_inspect_remove",
            "test_images.py::test_image_has_typed_attributes",
            "test_images.py::test_list_is_one_request_and_knows_the_same",
            "test_images.py::test_tag_exists_remove",
        ),
    ),
    Difference(
        "gives ids of images without sha256: in answers to prune and commit",
        BOTH,
        ("test_images.py::test_prune_removes_only_untagged_images", f"{LIFE}TestCommit::test_commit"),
    ),
    Difference("keeps no ENV of a commit's changes", OLD, (f"{LIFE}TestCommit::test_changes_as_text_and_conf",)),
    Difference("has no GET /distribution", BOTH, ("test_images.py::test_push_and_pull",)),
    Difference(
        "tells no digest and no layers while it pushes",
        BOTH,
        ("test_images.py::test_records_are_streamed", "test_images.py::test_registry_with_tls"),
    ),
    Difference("tells no layers while it pushes", BOTH, ("test_images.py::test_reports_progress",)),
    Difference(
        "reports a pull's or push's failure late: in the stream where Docker answers 404, or as a 500",
        OLD,
        ("test_images.py::test_failed_pull_raises",),
    ),
    Difference("answers a failed push with 500", NEW, ("test_images.py::test_failed_push_raises",), steady=False),
    Difference("answers a failed login or push with 500", BOTH, ("test_images.py::test_registry_with_a_password",)),
    Difference("answers a failed login with 500", BOTH, ("test_system_api.py::TestCalls::test_login",)),
    # --- options of containers
    Difference(
        "tells other values of some options than those it was given",
        BOTH,
        (
            f"{OPTION}-binds-",
            f"{OPTION}cgroupns-host",
            f"{OPTION}isolation-",
            f"{OPTION}tmpfs-",
            f"{OPTION}log_config-",
        ),
        steady=False,
    ),
    Difference(
        "tells other values of some options than those it was given",
        BOTH,
        (
            *(
                f"{OPTION}{name}-"
                for name in ("cap_drop", "device_cgroup_rules", "devices", "publish_all_ports", "sysctls")
            ),
            *(f"{OPTION}{name}-" for name in ("ulimits", "userns_mode", "volume_driver", "ipc_mode")),
        ),
        steady=False,
    ),
    Difference("needs the program catatonit for init=True", BOTH, (f"{OPTION}init-True",)),
    Difference("keeps no domain name", BOTH, (f"{CREATE}TestCreate::test_positional_order_is_docker_pys",)),
    Difference("tells no Config.Volumes", BOTH, (f"{CREATE}TestCreate::test_volumes",)),
    Difference("tells no HostConfig.Mounts", BOTH, (f"{CREATE}TestHostConfig::test_mounts",)),
    Difference("calls the runtime oci", BOTH, (f"{CREATE}TestCreate::test_runtime",)),
    Difference(
        "has no links",
        BOTH,
        (f"{CREATE}TestHostConfig::test_links_as_dict_and_pairs", f"{LIFE}TestRemove::test_link_only"),
    ),
    Difference(
        "fills in the host ports and addresses it chose", BOTH, (f"{CREATE}TestPortBindings::test_forms",), steady=False
    ),
    Difference("knows no sctp", OLD, (f"{CREATE}TestCreate::test_ports|ports3",)),
    Difference("keeps no IPAMConfig of an endpoint", BOTH, (f"{CREATE}TestNetworkingConfig::test_endpoint_arrives",)),
    Difference(
        "runs images of other platforms, or tries to",
        OLD,
        (f"{CREATE}TestCreate::test_platform_of_another_machine_is_refused",),
    ),
    # --- states and responses
    Difference(
        "answers 500 where Docker answers 409: a name that is taken, a container that is in the wrong state",
        BOTH,
        (
            f"{CREATE}TestCreate::test_create_rejects_a_taken_name",
            "test_container_api_exec.py::TestCreate::test_not_running",
            f"{LIFE}TestRemove::test_running_needs_force",
        ),
    ),
    Difference("answers 500 to a name that is taken", NEW, (f"{LIFE}TestRename::test_taken",)),
    Difference(
        "answers 500 to kill of a stopped container", OLD, (f"{LIFE}TestStopRestartKill::test_kill_of_a_stopped_one",)
    ),
    Difference(
        "tells exit code 0 of a command that still runs",
        BOTH,
        ("test_container_api_exec.py::TestInspect::test_inspect_returns_exit_code_and_state",),
    ),
    Difference(
        "waits for the command though exec was detached",
        OLD,
        ("test_container_api_exec.py::TestStart::test_detach",),
        steady=False,
    ),
    Difference("tells sizes whether asked or not", BOTH, (f"{LIFE}TestInspect::test_size",)),
    Difference("finds no containers by ancestor", OLD, (f"{LIFE}TestContainers::test_filters",)),
    Difference("tells exit code 0 to who waits for condition=removed", OLD, (f"{LIFE}TestWait::test_conditions",)),
    Difference("lists ps itself, or titles in one word, in top", BOTH, (f"{LIFE}TestTopDiffPort::test_top",)),
    Difference("answers top of a stopped container", OLD, (f"{LIFE}TestTopDiffPort::test_top_of_a_stopped_one",)),
    Difference(
        "has no update",
        OLD,
        (f"{LIFE}TestUpdate::test_resources_and_restart_policy", f"{LIFE}TestUpdate::test_zero_is_a_value"),
    ),
    Difference(
        "answers 500 to inspect of a container that is going",
        BOTH,
        ("test_waiting.py::test_removed_container_has_exited",),
        steady=False,
    ),
    # --- streams
    Difference(
        "cuts a followed log short when the container ends",
        BOTH,
        (f"{STREAMS}TestLogs::test_a_lot_of_output",),
        steady=False,
    ),
    Difference(
        "drops the last line's end from the past in attach",
        OLD,
        (f"{STREAMS}TestAttach::test_attach_with_logs_includes_earlier_output",),
        steady=False,
    ),
    Difference("has no websockets", BOTH, (f"{STREAMS}TestAttachSocket::test_websocket",)),
    Difference(
        "puts time stamps into the middle of lines", BOTH, ("test_logs_events_stats.py::test_entries",), steady=False
    ),
    Difference(
        "tells a log's lines from before a restart twice",
        OLD,
        ("test_waiting.py::test_lines_before_a_restart_are_ignored",),
        steady=False,
        hangs=True,
    ),
    Difference(
        "runs no health checks without systemd",
        BOTH,
        (
            *("test_waiting.py::test_healthy", "test_waiting.py::test_unhealthy_fails_immediately_with_the_reason"),
            "test_call.py::test_run_waits_until_ready_or_removes_the_container",
        ),
        steady=False,
        hangs=True,
    ),
    Difference(
        "leaves detach keys unheard", BOTH, ("test_exec_objects.py::test_detach_keys_leave_it_running",), steady=False
    ),
    Difference(
        "tells other events, and the past ones not always",
        BOTH,
        (
            "test_system_api.py::TestCalls::test_events_since_and_until",
            "test_logs_events_stats.py::test_history_of_events",
        ),
        steady=False,
    ),
    Difference(
        "tells no events of networks",
        BOTH,
        ("test_networks.py::TestCalls::test_events_of_a_network",),
        steady=False,
        hangs=True,
    ),
    Difference("tells no sizes of images in df", BOTH, ("test_logs_events_stats.py::test_disk_use",), steady=False),
    Difference("has no debug calls", BOTH, ("test_system_api.py::TestCalls::test_debug_calls_return_profiles",)),
    Difference(
        "loses the output of a command that ends without reading all its input",
        BOTH,
        ("test_exec_objects.py::test_process_may_leave_input_unread",),
        steady=False,
    ),
    # --- files
    Difference(
        "makes what is put into a container root's, makes missing folders, and follows links when it hands out",
        BOTH,
        (
            f"{STREAMS}TestArchives::test_put_into_nothing",
            *(
                f"test_copy.py::{name}"
                for name in ("test_one_file", "test_rejects_paths_that_are_not_files", "test_links_in_the_container")
            ),
            *(
                f"test_copy.py::{name}"
                for name in (
                    "test_copy_to_replaces_files_but_not_folders",
                    "test_owners",
                    "test_links_outside_the_copied_folder_are_refused",
                )
            ),
            "test_copy.py::test_copy_to_targets_a_folder_or_a_new_name|folder-link",
            *(
                f"test_volumes.py::TestFiles::{name}"
                for name in (
                    *("test_write_read_list_stat", "test_backup_and_restore", "test_clone"),
                    "test_links_are_followed_inside_the_volume",
                )
            ),
            "test_volumes.py::test_volumes_have_the_file_methods_of_containers",
        ),
    ),
    # --- networks and volumes
    Difference(
        "keeps fewer facts of a network, has no config-only ones and no filter type, and answers 500 to bad names",
        BOTH,
        tuple(
            f"test_networks.py::TestCalls::{name}"
            for name in (
                *(
                    "test_life_cycle",
                    "test_all_of_ipam",
                    "test_config_only_network_and_a_network_from_it",
                    "test_errors",
                    "test_filters",
                ),
                *("test_inspect_verbose_and_in_a_scope", "test_connect_accepts_every_endpoint_option"),
            )
        ),
    ),
    Difference(
        "takes and tells options of volumes otherwise, and does not filter by dangling as Docker does",
        BOTH,
        (
            "test_volumes.py::TestCalls::test_without_a_name_and_with_options",
            "test_volumes.py::TestCalls::test_filters",
        ),
    ),
    Difference(
        "is slow to forget", BOTH, ("test_volumes.py::TestFiles::test_volume_files_leave_nothing_behind",), steady=False
    ),
    # --- builds, runs, registries, and what users of docker-py do
    Difference(
        "builds with Buildah: other records, no exit codes of steps, no prune of a cache, fewer options, and runs on when left",
        BOTH,
        tuple(
            f"test_classic_build.py::{name}"
            for name in (
                *("test_a_folder", "test_context_that_the_engine_fetches", "test_failing_step", "test_progress"),
                *("test_every_option_reaches_the_steps", "test_abandoned_build_ends_on_the_engine"),
                *("test_proxies_of_the_configuration_are_arguments", "test_build_is_cancelled_from_another_thread"),
                *("test_cache_is_pruned", "test_generated_ignore_files_match_the_engine"),
            )
        ),
        steady=False,
    ),
    Difference(
        "tells exit code 0 of a container that it removes itself", OLD, ("test_containers.py::test_failed_command",)
    ),
    Difference(
        "knows other log drivers, no links, no update, runs no health checks without systemd, and frames attached logs wrongly",
        BOTH,
        tuple(
            f"test_containers.py::{name}"
            for name in (
                *(
                    "test_run_makes_five_requests",
                    "test_returns_output_with_any_log_driver",
                    "test_missing_image_is_pulled",
                ),
                *(
                    "test_ports_are_published_and_found",
                    "test_several_networks",
                    "test_health",
                    "test_lifecycle_methods",
                ),
                *("test_context_manager_stops_and_removes", "test_list_is_one_request_and_agrees_with_inspecting"),
                *("test_logs_and_attach", "test_each_option_reaches_the_engine", "test_links_and_volumes_from"),
            )
        ),
        steady=False,
    ),
    Difference(
        "answers a failed login with 500",
        BOTH,
        (
            "test_credentials.py::test_login_applies_to_this_client_only",
            "test_credentials.py::test_login_saves_on_request_and_logout_erases",
        ),
        steady=False,
    ),
    Difference(
        "wants TLS of every registry that its registries.conf does not name, and has other words for failures",
        BOTH,
        tuple(
            f"test_registry_trouble.py::{name}"
            for name in (
                *(
                    "test_scripted_registry_serves_an_image",
                    "test_search_in_a_registry",
                    "test_registry_failures_raise_in_time",
                ),
                *("test_fresh_credentials_are_requested_once", "test_token_service"),
                *(
                    "test_abandoned_pull_ends_on_the_engine",
                    "test_pull_is_cancelled_from_another_thread",
                ),
            )
        ),
        steady=False,
    ),
    # --- unsupported features
    Difference(
        "has no swarm", BOTH, ("test_swarm.py", "test_answers.py::test_swarm_responses_match_their_types"), hangs=True
    ),
    Difference("has no plugins", BOTH, ("test_plugins.py",), hangs=True),
    Difference(
        "has checkpoints elsewhere",
        BOTH,
        (
            "test_checkpoints.py::test_container_without_checkpoints_has_none",
            "test_checkpoints.py::test_checkpoint_is_made_and_started_from_or_the_engine_says_why_not",
        ),
    ),
    Difference(
        "answers null, or other types, in places",
        BOTH,
        (
            "test_answers.py::test_container_responses_match_their_types",
            "test_answers.py::test_image_and_system_responses_match_their_types",
        ),
        steady=False,
    ),
    Difference(
        "differs in what these programs rely on",
        BOTH,
        tuple(f"test_dependents.py::test_{name}" for name in ("testcontainers", "docker_squash", "dockerpty")),
        steady=False,
    ),
    Difference(
        "has full names of images",
        BOTH,
        ("test_memory.py::test_save_load_export_and_import_use_bounded_memory", "test_testing_aids.py::test_fixtures"),
        steady=False,
    ),
    Difference(
        "listens at one address only",
        BOTH,
        (
            "test_threads_and_forks.py::test_threads_get_their_own_responses|tcp",
            "test_threads_and_forks.py::test_threads_run_commands_side_by_side|tcp",
        ),
    ),
]


def mark(items: list[pytest.Item]) -> None:
    """Mark the tests that are expected to fail with Podman."""
    for item in items:
        name, _, parameters = f"{item.path.name}::{item.nodeid.partition('::')[2]}".partition("[")
        for difference in DIFFERENCES:
            if any(engine in parameters for engine in difference.engines) and any(
                test.partition("|")[0] in (name, item.path.name) and test.partition("|")[2] in parameters
                for test in difference.tests
            ):
                reason = f"Podman {difference.what}"
                strict = difference.steady and not difference.hangs
                item.add_marker(pytest.mark.xfail(reason=reason, strict=strict, run=not difference.hangs))
                break
