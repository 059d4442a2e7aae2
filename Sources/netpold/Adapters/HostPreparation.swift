import Agent
import ArgumentParser
import Datapath
import Glibc
import Logging
import Support

/// What the machine and the process must have before anything is loaded.
enum HostPreparation {
    /// Ends the command unless root runs it.
    ///
    /// - Parameters:
    ///   - why: what needs root, a sentence without its stop.
    ///   - hint: what can be done instead.
    /// - Throws: the exit code, after saying so.
    static func requireRoot(_ why: String, hint: String = "") throws(ExitCode) {
        guard geteuid() != 0 else { return }
        ErrorOutput.error("\(why): run it as root (or with sudo)\(hint.isEmpty ? "" : "; \(hint)")")
        throw ExitCode.machine
    }

    /// Refuses to go on without the capabilities that enforcing, or taking it off, needs: one error that names every missing one.
    static func requireCapabilities(_ what: String) throws(SystemError) {
        let missing = Capability.missing().filter { !$0.isOptional }
        guard !missing.isEmpty else { return }
        let reasons = missing.map { "\($0.name), which \($0.purpose)" }
        throw SystemError(
            "run", what, nil, detail: "the process lacks \(reasons.joined(separator: "; and "))",
            hint: "docs/reference/capabilities.md lists what it needs")
    }

    /// The conditions for capabilities that the process can do without, but not well.
    static func capabilityConditions() -> [Condition] {
        Capability.missing().filter(\.isOptional).map { capability in
            Condition(
                kind: .evidenceUnreadable, subject: capability.name,
                message:
                    "the agent lacks \(capability.name), which \(capability.purpose): pods whose namespaces are neither "
                    + "mounted nor noted by the runtime are not known")
        }
    }

    /// Makes sure that what is pinned stays.
    ///
    /// - Returns: the conditions that hold for as long as the agent runs.
    static func prepareFilesystem(allowsPrivate: Bool, _ logger: Logger) throws(BPFError) -> [Condition] {
        let finding = try BPFFilesystem.prepare(allowsPrivate: allowsPrivate)
        var conditions: [Condition] = []
        if finding.wasMountedHere {
            conditions.append(
                Condition(
                    kind: .bpffsMounted, subject: PinPath.defaultRoot,
                    message:
                        "no bpffs was mounted at \(PinPath.defaultRoot), so the agent mounted one; whoever mounts another "
                        + "over it hides what is pinned: let the host mount it at boot"))
        }
        if finding.isPrivate {
            conditions.append(
                Condition(
                    kind: .bpffsPrivate, subject: PinPath.defaultRoot,
                    message:
                        "the bpffs belongs to the agent's mount namespace alone: when that goes, every hook goes, and pods "
                        + "are open (--allow-private-bpffs)"))
        }
        for condition in conditions {
            logger.warning("\(condition.message)", metadata: ["condition": "\(condition.kind.rawValue)"])
        }
        return conditions
    }

    /// Says what of other versions is going to be taken over, and what is not.
    static func report(_ others: [OtherVersionReport], _ logger: Logger) {
        for other in others {
            logger.notice(
                "another version's programs enforce; they are replaced in place by the first apply",
                metadata: ["version": "\(other.name)"])
            for part in other.notCarried {
                logger.warning("not carried over: \(part)", metadata: ["version": "\(other.name)"])
            }
        }
    }
}
