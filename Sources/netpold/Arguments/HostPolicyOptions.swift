public import ArgumentParser
public import BPFEmit
import NetTypes

/// How an agent enforces the node's own policies.
struct HostPolicyOptions: ParsableArguments {
    @Option(
        name: .customLong("host-policy"),
        help: ArgumentHelp(
            """
            Policies with nodeSelector, which protect this node itself: off; audit, ask them and count what they would drop; \
            or enforce.
            """, valueName: "what"))
    var mode = HostMode.off

    @Option(
        name: .customLong("host-devices"), parsing: .upToNextOption,
        help: ArgumentHelp("The uplinks at which host policies are asked.", valueName: "interface"))
    var devices: [String] = []

    @Option(
        name: .customLong("host-failsafe"),
        help: ArgumentHelp(
            """
            What passes whatever host policies say: ingress:tcp:22, egress:udp:53 (ports of the receiver, a range too), probes \
            (TCP from the node to its own pods) or none; may be repeated. (default: ingress:tcp:22, ingress:tcp:6443, \
            ingress:tcp:10250, ingress:udp:68, ingress:udp:546, egress:tcp:6443 and probes)
            """, valueName: "what"))
    var failsafes: [String] = []

    @Option(
        name: .customLong("host-confirm"),
        help: ArgumentHelp(
            """
            Go back after so many seconds to what was in force before, unless `netpold host confirm` was run: after enforcement \
            begins, and after each change of the host policies that are enforced. 0: never.
            """, valueName: "seconds"))
    var confirm: UInt32 = 0

    func validate() throws {
        _ = try settings()
        if confirm > 86_400 { throw ValidationError("--host-confirm is at most 86400 seconds") }
        if mode != .off, devices.isEmpty {
            throw ValidationError(
                "--host-policy \(mode.rawValue) needs --host-devices: the node's uplinks, such as eth0")
        }
    }

    /// The settings of the datapath.
    func settings() throws -> HostSettings {
        var settings = HostSettings(mode: mode, devices: devices, confirmSeconds: confirm)
        guard !failsafes.isEmpty else { return settings }
        settings.failsafes = []
        settings.passesProbes = false
        for text in failsafes where text != "none" {
            if text == "probes" {
                settings.passesProbes = true
            } else if let failsafe = Failsafe(parsing: text) {
                settings.failsafes.append(failsafe)
            } else {
                throw ValidationError(
                    "--host-failsafe \(text): write ingress:tcp:22, egress:udp:53-54, probes or none")
            }
        }
        guard settings.failsafes.count <= HostSettings.failsafeLimit else {
            throw ValidationError("--host-failsafe: at most \(HostSettings.failsafeLimit) of them")
        }
        return settings
    }
}

extension HostMode: ExpressibleByArgument {}
