import Foundation
import Glibc
import Support
import SystemPackage

/// What the plugin noted of each interface, one file each, in the form of libcni's result cache: the agent reads both by the same
/// reader, and trusts these more.
public struct CNIRecordFolder: Sendable {
    /// The folder.
    public let path: String

    /// A folder; it is made when something is written.
    public init(path: String) { self.path = path }

    /// Writes the note of an interface, in one step and for root only.
    ///
    /// - Parameters:
    ///   - invocation: whose it is.
    ///   - configuration: its network, and the result of the plugins before.
    ///   - links: names of the host's interfaces that lead into the namespace: a plugin before may have told none.
    /// - Throws: `inputOutput`.
    func write(_ invocation: CNIInvocation, _ configuration: CNIConfiguration, links: [String]) throws(CNIError) {
        var result = configuration.previous ?? [:]
        var interfaces = result["interfaces"] as? [[String: Any]] ?? []
        for name in links where !interfaces.contains(where: { $0["name"] as? String == name && isHost($0) }) {
            // At the end: addresses name interfaces by their place.
            interfaces.append(["name": name])
        }
        result["interfaces"] = interfaces
        let note: [String: Any] = [
            "kind": "cniCacheV1", "containerId": invocation.containerID, "ifName": invocation.interface,
            "networkName": configuration.network, "netns": invocation.netns,
            "cniArgs": invocation.arguments.map { [$0.key, $0.value] }, "result": result,
        ]
        let file = "\(path)/\(name(configuration.network, invocation.containerID, invocation.interface))"
        do {
            try makeFolder()
            let data = try JSONSerialization.data(withJSONObject: note, options: [.sortedKeys])
            // Beside the folder: whoever reads it finds whole notes only.
            try FileContent.replace(file, with: data, draft: "\(path).\(getpid()).new")
        } catch {
            throw CNIError(.inputOutput, "the note of the pod's interface cannot be written", details: "\(error)")
        }
    }

    /// Whether an interface was noted.
    func holds(_ invocation: CNIInvocation, network: String) -> Bool {
        access("\(path)/\(name(network, invocation.containerID, invocation.interface))", F_OK) == 0
    }

    /// Removes the note of an interface; one that is not there is fine.
    ///
    /// - Throws: `inputOutput`.
    func remove(network: String, container: String, interface: String) throws(CNIError) {
        let file = "\(path)/\(name(network, container, interface))"
        if unlink(file) != 0, Errno.current != .noSuchFileOrDirectory {
            throw CNIError(.inputOutput, "\(file) cannot be removed", details: "\(Errno.current)")
        }
    }

    /// Removes the notes of a network that are not of `valid` interfaces.
    ///
    /// - Throws: `inputOutput`.
    func keep(_ valid: Set<CNIAttachmentID>, network: String) throws(CNIError) {
        let names: [String]
        do {
            names = try FolderNames.read(path)
        } catch {
            if error == .noSuchFileOrDirectory { return }
            throw CNIError(.inputOutput, "\(path) cannot be listed", details: "\(error)")
        }
        let kept = Set(valid.map { name(network, $0.container, $0.interface) })
        for found in names where found.hasPrefix("\(network)-") && !kept.contains(found) {
            // `a-b` may be the network `a` with container `b...`, or the network `a-b`.
            guard owner(of: found) == network else { continue }
            if unlink("\(path)/\(found)") != 0, Errno.current != .noSuchFileOrDirectory {
                throw CNIError(.inputOutput, "\(path)/\(found) cannot be removed", details: "\(Errno.current)")
            }
        }
    }

    /// The network that a note names inside.
    private func owner(of name: String) -> String? {
        guard let bytes = try? FileContent.read("\(path)/\(name)", limit: CNIConfiguration.limit),
            let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
        else { return nil }
        return object["networkName"] as? String
    }

    private func name(_ network: String, _ container: String, _ interface: String) -> String {
        "\(network)-\(container)-\(interface)"
    }

    /// Whether an interface of a result is on the host's side.
    private func isHost(_ interface: [String: Any]) -> Bool { (interface["sandbox"] as? String ?? "").isEmpty }

    private func makeFolder() throws {
        let parent = path.split(separator: "/").dropLast().joined(separator: "/")
        for folder in ["/\(parent)", path] {
            if mkdir(folder, 0o755) != 0, Errno.current != .fileExists {
                throw SystemError("make folder", folder, Errno.current)
            }
        }
    }
}
