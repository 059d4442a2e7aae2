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
            Pods of the instance are not protected any more afterwards. Prints what was removed; doing it again removes \
            nothing and is no error. The agent must not be running.

            Exit codes: 0 nothing of the instance is left; 1 an agent of the instance is running; \
            2 wrong arguments; 3 not root, or the machine does not let it.
            """)

    @OptionGroup var instance: InstanceOptions

    @Option(help: ArgumentHelp("The network namespace the agent enforced in.", valueName: "path"))
    var netns: String?

    func run() throws {
        guard geteuid() == 0 else {
            ErrorOutput.error("only root may detach: run it as root (or with sudo)")
            throw ExitCode.machine
        }
        do {
            if let netns { try NamespaceEntry.enter(netns) }
            try detach()
        } catch {
            ErrorOutput.error("\(error)")
            throw ExitCode.of(error)
        }
    }

    private func detach() throws {
        let lock = try AgentFiles.lock(instance.instance)
        defer { withExtendedLifetime(lock) {} }
        let pins = try PinPath(instance: instance.instance)
        let inventory = DetachCommand.inventory("\(pins.root)/netpold/\(instance.instance)")
        if !inventory.isEmpty {
            do {
                try NodeDatapath(DatapathOptions(pins: pins)).detach()
            } catch {
                // Of another version, most likely: pinned links still go with their pins.
                ErrorOutput.error("\(error); removing the pins only")
                try pins.removeAll()
            }
        }
        for path in inventory { print("removed \(path)") }
        let copies = InstancePaths(instance: instance.instance)?.lastGood ?? ""
        if (try? FileManager.default.removeItem(atPath: copies)) != nil { print("removed \(copies)") }
        if unlink(instance.socketPath) == 0 { print("removed \(instance.socketPath)") }
        lock.remove()
        let left = DetachCommand.inventory("\(pins.root)/netpold/\(instance.instance)")
        guard left.isEmpty else {
            throw SystemFailure("remove", left.joined(separator: ", "), code: 0)
        }
        print(
            inventory.isEmpty ? "nothing of instance \(instance.instance) is pinned" : "\(inventory.count) pins removed"
        )
    }

    /// Every pinned file below a folder.
    private static func inventory(_ folder: String) -> [String] {
        guard let walk = FileManager.default.enumerator(atPath: folder) else { return [] }
        var paths: [String] = []
        for case let name as String in walk {
            var isFolder: ObjCBool = false
            let path = "\(folder)/\(name)"
            if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue {
                paths.append(path)
            }
        }
        return paths.sorted()
    }
}
