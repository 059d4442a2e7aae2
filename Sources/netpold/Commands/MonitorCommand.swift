import Agent
import ArgumentParser
import Foundation
import Glibc
import Support

/// `netpold monitor`.
struct MonitorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "monitor",
        abstract: "Show verdicts as they happen: who, whom, and the rule that decided.",
        usage: "netpold monitor [--pod <namespace/name>] [<options>]",
        discussion: """
            One line a new verdict; packets of flows that are admitted already show nothing. A default deny names the \
            policies that isolate the pod and the rule that came nearest. The time is the packet's, and pods and policies are \
            those of that time. At most some 1,000 verdicts a second are shown, pods taking turns; others are counted. \
            Ctrl-C ends it. With --json: one object per line; {"lost": N} for verdicts not shown.

            Exit codes: 1 no agent answers, or it has gone; 2 wrong arguments; 130 ended by Ctrl-C.
            """)

    @OptionGroup var instance: InstanceOptions
    @OptionGroup var timeout: TimeoutOptions

    @Flag(help: "Print JSON, one object per line.")
    var json = false

    @Flag(help: "Only dropped packets.")
    var drops = false

    @Option(help: ArgumentHelp("Only flows from or to this pod.", valueName: "namespace/name"))
    var pod: String?

    @Option(help: ArgumentHelp("Only verdicts this policy had a part in.", valueName: "[namespace/]name"))
    var policy: String?

    func validate() throws {
        if let pod, pod.split(separator: "/", omittingEmptySubsequences: false).count != 2 {
            throw ValidationError("--pod \(pod): write it as namespace/name")
        }
        if let policy {
            let parts = policy.split(separator: "/", omittingEmptySubsequences: false)
            if parts.count > 2 || parts.contains(where: \.isEmpty) {
                throw ValidationError("--policy \(policy): write it as namespace/name, or as name")
            }
        }
    }

    func run() throws {
        // Whoever started this may have signals blocked: Ctrl-C ends it all the same.
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
        let agent = try AgentConnection(instance, timeout: timeout.duration)
        try agent.send(.monitor(MonitorFilter(dropsOnly: drops, pod: pod, policy: policy)))
        let rendering = VerdictRendering(style: Terminal.output.style, clock: MonitorCommand.clock)
        while true {
            switch try agent.next(timeout: nil) {
            case .verdict(let verdict):
                if json {
                    try MonitorCommand.show(JSONText.render(verdict, isStream: true))
                } else {
                    try rendering.lines(verdict).forEach(MonitorCommand.show)
                }
            case .lost(let count):
                try MonitorCommand.show(json ? "{\"lost\":\(count)}" : rendering.line(lost: count))
            case .status, .page, .health, .waited, .policyWaited, .explained, .reloaded, .admitted, .error:
                throw AgentConnection.unexpected()
            }
        }
    }

    /// Writes a line at once: in a pipe it must arrive while it is news.
    private static func show(_ line: String) throws {
        print(line)
        try StandardOutput.finish()
    }

    /// Local time of day with milliseconds.
    @Sendable private static func clock(_ milliseconds: UInt64) -> String {
        var seconds = time_t(milliseconds / 1000)
        var parts = tm()
        localtime_r(&seconds, &parts)
        return String(
            format: "%02d:%02d:%02d.%03d", parts.tm_hour, parts.tm_min, parts.tm_sec, Int32(milliseconds % 1000))
    }
}
