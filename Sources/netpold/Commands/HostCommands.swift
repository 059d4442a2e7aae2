import ArgumentParser
import BPFEmit
import Datapath
import Glibc
import Support

/// `netpold host`: the node's own policies.
struct HostCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "host",
        abstract: "Show whether host policies are in force on this node, confirm a change of them, or try it again.",
        discussion: """
            With --host-confirm N an agent puts host policies in force for N seconds; unless they are confirmed by then, the \
            programs in the kernel go back to what was before by themselves, whether an agent lives or not. All three commands \
            work on what is pinned and need no agent.
            """,
        subcommands: [HostStatusCommand.self, HostConfirmCommand.self, HostRetryCommand.self],
        defaultSubcommand: HostStatusCommand.self)

    /// The instance's pinned entry.
    static func control(_ instance: InstanceName) throws -> HostControl {
        try HostPreparation.requireRoot("only root may read what is pinned")
        let found: HostControl?
        do {
            found = try HostControl(PinPath(instance: instance.instance))
        } catch {
            ErrorOutput.error("\(error)")
            throw ExitCode.of(error)
        }
        guard let found else {
            ErrorOutput.error("nothing of instance \(instance.instance) is pinned: no agent enforces on this node")
            throw ExitCode.no
        }
        return found
    }

    /// Runs the body; what the kernel refuses ends the command.
    static func reporting(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as BPFError {
            ErrorOutput.error("\(error)")
            throw ExitCode.of(error)
        }
    }
}

/// `netpold host status`.
struct HostStatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show what is in force on the node itself.",
        discussion: """
            Exit codes: 0 what is in force needs no confirmation; 1 a change waits for one or was given up, or nothing is pinned; \
            2 wrong arguments; 3 not root, or the kernel refuses.
            """)

    @OptionGroup var instance: InstanceName

    func run() throws {
        try HostCommands.reporting {
            let state = try HostCommands.control(instance).state()
            let probes = state.passesProbes ? ["probes"] : []
            let passing = (state.failsafes.map(\.description) + probes).joined(separator: " ")
            switch state.confirmation {
            case .settled(let mode):
                print("host policies: \(mode.rawValue)")
            case .pending(let mode, let former, let until):
                let before = former == mode ? "the policies before" : former.rawValue
                print(
                    "host policies: \(mode.rawValue), for \(HostControl.seconds(until: until)) s more, then \(before)")
            case .expired(let mode, let former) where former == mode:
                print("host policies: \(former.rawValue), by those before; nobody has confirmed the change of them")
            case .expired(let mode, let former):
                print("host policies: \(former.rawValue); nobody has confirmed \(mode.rawValue)")
            }
            if state.confirmation.inForce != .off { print("fail-safe: \(passing.isEmpty ? "nothing" : passing)") }
            guard case .settled = state.confirmation else { throw ExitCode.no }
        }
    }
}

/// `netpold host confirm`.
struct HostConfirmCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm", abstract: "Keep the host policies that are in force for a time only.",
        discussion: """
            Exit codes: 0 confirmed; 1 nothing was to be confirmed, or it is too late; 2 wrong arguments; 3 not root, or the \
            kernel refuses.
            """)

    @OptionGroup var instance: InstanceName

    func run() throws {
        try HostCommands.reporting {
            let control = try HostCommands.control(instance)
            guard try control.confirm() else {
                if case .expired = try control.state().confirmation {
                    ErrorOutput.error("too late: it was given up; `netpold host retry` tries again")
                } else {
                    ErrorOutput.error("nothing waits for a confirmation")
                }
                throw ExitCode.no
            }
            print("confirmed")
        }
    }
}

/// `netpold host retry`.
struct HostRetryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Put host policies in force again that nobody has confirmed in time.",
        discussion: """
            Also extends the time of a change that still waits for confirmation.

            Exit codes: 0 in force for --seconds; 1 nothing waits; 2 wrong arguments; 3 not root, or the kernel refuses.
            """)

    @OptionGroup var instance: InstanceName

    @Option(help: ArgumentHelp("How long to wait for a confirmation.", valueName: "seconds"))
    var seconds: UInt32 = 60

    func validate() throws {
        if !(1...86_400).contains(seconds) { throw ValidationError("--seconds is 1 to 86400") }
    }

    func run() throws {
        try HostCommands.reporting {
            guard try HostCommands.control(instance).retry(seconds: seconds) else {
                ErrorOutput.error("nothing waits for a confirmation, and nothing was given up")
                throw ExitCode.no
            }
            print("in force for \(seconds) s; `netpold host confirm` keeps it")
        }
    }
}
