# A part of test-installed.sh: the installed unit, run by systemd with all its hardening. Only where its log goes and what
# it waits for is changed: a root with nothing else in it has no journal and no network target.
mkdir -p "$root/systemd-test/llm-firecracker.service.d"
cat >"$root/systemd-test/llm-firecracker.service.d/test.conf" <<'END'
[Unit]
DefaultDependencies=no
[Service]
Restart=no
StandardOutput=append:/service.log
StandardError=append:/service.log
END
printf '[Unit]\nDefaultDependencies=no\n' >"$root/systemd-test/test.target"

# What the unit forbids and what it allows besides jobs, asked by a program under the same hardening: a line a call.
# Numbers of x86_64; each call is harmless where it is allowed.
cat >"$root/calls.pl" <<'END'
my @calls = (
    ["refused", "perf_event_open", 298, 0, 0, -1, -1, 0], ["refused", "pidfd_getfd", 438, -1, -1, 0],
    ["refused", "kexec_load", 246, 0, 0, 0, 0], ["refused", "init_module", 175, 0, 0, 0],
    ["refused", "swapon", 167, 0, 0], ["refused", "clock_settime", 227, 99, 0], ["refused", "reboot", 169, 0, 0, 0, 0],
    ["refused", "iopl", 172, 0], ["refused", "modify_ldt", 154, 0, 0, 0],
    ["allowed", "ptrace", 101, 7, -1, 0, 0], ["allowed", "personality", 135, 0x0040000],
);
for my $call (@calls) {
    my ($wanted, $name, @arguments) = @$call;
    $! = 0;
    my $done = syscall($arguments[0], map { $_ + 0 } @arguments[1 .. $#arguments]);
    my $seen = $done == -1 && $!{EPERM} ? "refused" : "allowed";
    print "$seen $name", ($seen eq $wanted ? "" : " WRONG: $!"), "\n";
}
END
sed 's/^Type=.*/Type=oneshot/; /^WatchdogSec=/d; s|^ExecStart=.*|ExecStart=/usr/bin/perl -MErrno /calls.pl|' "$unit" \
    >"$root/systemd-test/calls.service"
cp -r "$root/systemd-test/llm-firecracker.service.d" "$root/systemd-test/calls.service.d"
sed -i 's/service.log/calls.log/' "$root/systemd-test/calls.service.d/test.conf"

scripts/systemd-in-root.sh "$root" "$group" test.target &
manager=$!
# The process that is 1 in there.
first() { cat /proc/[0-9]*/stat 2>/dev/null | awk -v parent="$manager" '$4 == parent {print $1}'; }
by_systemd() { nsenter --target "$(first)" --all "$@"; }
begun=$SECONDS
until by_systemd systemctl is-active --quiet test.target 2>/dev/null; do
    kill -0 "$manager" 2>/dev/null || { wait "$manager" && code=0 || code=$?; manager=""; break; }
    [[ $((SECONDS - begun)) -lt 60 ]] || { code=77; echo "not run: systemd as process 1 does not come up"; end_manager; break; }
    sleep 0.1
done

if [[ -z "$manager" ]]; then
    [[ "$code" == 77 ]] || fail "systemd ended with $code"
    not_run=1
    # Without its hardening then: the command is the unit's own.
    configure qemu
    : >"$log"
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin $(sed -n 's/^ExecStart=//p' "$unit") >"$log" 2>&1 &
    service=$!
    begun=$SECONDS
    until [[ -n "$(address)" ]]; do
        kill -0 "$service" 2>/dev/null || { cat "$log"; fail "it does not start"; }
        [[ $((SECONDS - begun)) -lt 120 ]] || { cat "$log"; fail "it does not listen"; }
        sleep 0.1
    done
    ask_pages
    kill -TERM "$service"
    wait "$service" || { cat "$log"; fail "it does not stop well"; }
    service=""
else
    by_systemd systemctl start calls.service || { by_systemd systemctl status --no-pager calls.service; fail "no program runs under its hardening"; }
    if grep WRONG "$root/calls.log"; then fail "its hardening is not what it was"; fi
    echo "package: under its unit: $(paste -s -d, "$root/calls.log" | sed 's/,/, /g')"
    for engine in "${engines[@]:-qemu}"; do
        configure "$engine"
        : >"$log"
        # Returns when the service says that it is ready.
        by_systemd systemctl start llm-firecracker.service || { cat "$log"; fail "its unit does not start it with engine $engine"; }
        if [[ "$engine" == "${engines[0]:-qemu}" ]]; then ask_pages; fi
        if [[ ${#engines[@]} -gt 0 ]]; then
            curl --silent --show-error --output "$root/answer" --json '{"lang": "bash", "code": "echo $((6 * 7))", "timeout": 60}' \
                "http://$(address)/api/v1/execute" || { cat "$log"; fail "it runs no job"; }
            grep -q '"stdout":"42\\n"' "$root/answer" && grep -q "\"engine\":\"$engine\"" "$root/answer" \
                || { cat "$root/answer" "$log"; fail "its job under $engine"; }
            echo "package: under its unit, a job: $(grep -o '"isolation":{[^}]*}' "$root/answer")"
        fi
        by_systemd systemctl stop llm-firecracker.service
        result=$(by_systemd systemctl show --property Result,ExecMainStatus llm-firecracker.service | paste -s -d ' ')
        [[ "$result" == *"Result=success"* && "$result" == *"ExecMainStatus=0"* ]] || { cat "$log"; fail "it does not stop well: $result"; }
    done
    end_manager
fi
rm -rf "$root"/{systemd-test,calls.pl,calls.log}
