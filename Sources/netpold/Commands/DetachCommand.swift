import Agent
import ArgumentParser
import Datapath
import Foundation
import Glibc
import Support

/// `netpold detach`.
struct DetachCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "detach",
        abstract: "Take every program of an instance off its interfaces and remove everything it pinned.",
        discussion: """
            Pods of the instance are not protected any more afterwards. Prints what was removed, pins counted by folder; doing it again \
            removes nothing and is not an error. The agent must not be running.

            Exit codes: 0 nothing of the instance is left; 1 an agent of the instance is running; \
            2 wrong arguments; 3 not root, or the kernel refuses.
            """)

    @OptionGroup var instance: InstanceOptions

    @Option(help: ArgumentHelp("The network namespace the agent enforced in.", valueName: "path"), completion: .file())
    var netns: String?

    func run() throws {
        try HostPreparation.requireRoot("only root may detach")
        do {
            try HostPreparation.requireCapabilities("detach")
            if let netns { try NamespaceEntry.enter(netns) }
            try detach()
        } catch {
            ErrorOutput.error("\(error)")
            throw ExitCode.of(error)
        }
    }

    private func detach() throws {
        let lock = try instance.paths().takeLock()
        defer { withExtendedLifetime(lock) {} }
        let pins = try PinPath(instance: instance.instance)
        let pinned = try pins.pinned().sorted()
        do {
            // Also without pins: what `netpold cni` closed by a filter has none.
            try NodeDatapath.remove(pins)
        } catch {
            // Pinned links still go with their pins.
            ErrorOutput.error("\(error); removing the pins only")
            try pins.removeAll()
        }
        for line in DetachCommand.lines(of: pinned) { print(line) }
        let paths = try instance.paths()
        // A proxy that runs goes by the revision in its rules: those of a next agent must have a later one.
        let rules = ProxyStatus.read(paths.proxyState) == nil ? [paths.proxyRules] : []
        for path in paths.records + rules + [paths.denials]
        where (try? FileManager.default.removeItem(atPath: path)) != nil {
            print("removed \(path)")
        }
        if unlink(instance.socketPath) == 0 { print("removed \(instance.socketPath)") }
        lock.remove()
        let left = try pins.pinned()
        guard left.isEmpty else {
            throw SystemError("remove", left.joined(separator: ", "), nil)
        }
        print(pinned.isEmpty ? "nothing of instance \(instance.instance) is pinned" : "\(pinned.count) pins removed")
    }

    /// `removed 41 pins of /sys/fs/bpf/netpold/default/v12`: a line for each folder, in the order of the paths.
    static func lines(of pins: [String]) -> [String] {
        var folders: [(name: Substring, count: Int)] = []
        for path in pins {
            let folder = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
            if let index = folders.firstIndex(where: { $0.name == folder }) {
                folders[index].count += 1
            } else {
                folders.append((folder, 1))
            }
        }
        return folders.map { "removed \($0.count) pin\($0.count == 1 ? "" : "s") of \($0.name)" }
    }
}
