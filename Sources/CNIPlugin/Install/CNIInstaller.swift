import Foundation
import Glibc
public import Support
import SystemPackage

/// Puts netpold behind the plugins of the node's network configuration, and takes it out again. Every file changes in one step.
public struct CNIInstaller: Sendable {
    /// What becomes of the file that was there.
    private static let original = ".netpold-original"
    /// More than any conflist has, bytes.
    private static let limit = 4 << 20
    /// The version of a list that takes the place of one plugin without any.
    private static let impliedVersion = "0.3.1"

    /// Where the runtime reads its network configuration, usually `/etc/cni/net.d`.
    public let configurations: String
    /// Where it finds plugins, usually `/opt/cni/bin`.
    public let plugins: String

    /// An installer for these folders.
    public init(configurations: String, plugins: String) {
        self.configurations = configurations
        self.plugins = plugins
    }

    /// Puts a plugin of type `netpold` at the end of the configuration that the runtime uses: the first by name. Again changes nothing.
    ///
    /// - Parameters:
    ///   - executable: what is copied to the plugins' folder.
    ///   - options: keys of netpold's part besides `type`, as JSON values.
    /// - Returns: what was done, a sentence each; nothing where all of it is as it should be.
    /// - Throws: naming the file; what was changed before stays usable.
    public func install(executable: String, options: [String: Option]) throws(SystemError) -> [String] {
        let name = try configuration()
        let path = "\(configurations)/\(name)"
        let object = try read(path)
        let mode = try self.mode(of: path)
        // A list without a version has one that is too old; of one plugin the version is written where it is missing.
        let version = object["cniVersion"] as? String ?? (object["plugins"] == nil ? CNIInstaller.impliedVersion : "")
        guard CNIVersion.supported.contains(version) else {
            throw SystemError(
                "read", path, nil,
                detail: version.isEmpty ? "it has no cniVersion" : "its cniVersion is \"\(version.prefix(32))\"",
                hint:
                    "netpold speaks \(CNIVersion.supported.joined(separator: ", ")): no pod would start; change cniVersion, if the "
                    + "plugins there speak one of these")
        }
        var entry: [String: Any] = ["type": "netpold"]
        for (key, value) in options { entry[key] = value.json }
        var done: [String] = []
        let binary = "\(plugins)/netpold"
        // First: a configuration that names a plugin that is not there starts no pod.
        if try copy(executable, to: binary) { done.append("wrote \(binary)") }
        if let list = object["plugins"] {
            guard var list = list as? [[String: Any]], !list.isEmpty else {
                throw SystemError("read", path, nil, detail: "plugins is no list of objects")
            }
            let rest = list.filter { $0["type"] as? String != "netpold" }
            let wanted = rest + [entry]
            if same(list, wanted) { return done }
            if list.count == rest.count { try keep(path, mode) }
            list = wanted
            var changed = object
            changed["plugins"] = list
            try write(changed, to: path, mode)
            return done + ["added netpold to the end of \(path)"]
        }
        // A configuration of one plugin: a list of two takes its place.
        let target = "\(configurations)/\(stem(name)).conflist"
        // One of netpold's is made again: the network plugin has written its file anew.
        guard access(target, F_OK) != 0 || hasNetpold(target) else {
            throw SystemError("write", target, nil, detail: "it is there already, beside \(name)")
        }
        let first = unnamed(object)
        let changed: [String: Any] = [
            "cniVersion": version, "name": object["name"] ?? "", "plugins": [first, entry],
        ]
        try write(changed, to: target, mode)
        try move(path, to: path + CNIInstaller.original)
        return done + ["wrote \(target) in place of \(name)"]
    }

    /// Whether the configuration at a path has netpold in its list.
    private func hasNetpold(_ path: String) -> Bool {
        guard let object = try? read(path), let list = object["plugins"] as? [[String: Any]] else { return false }
        return list.contains { $0["type"] as? String == "netpold" }
    }

    /// Takes netpold out of every configuration. The plugin itself stays where `keepsPlugin` says so: runtimes call it once more for
    /// each pod that was started with it.
    ///
    /// - Returns: what was done, a sentence each.
    /// - Throws: naming the file.
    public func uninstall(keepsPlugin: Bool) throws(SystemError) -> [String] {
        var done: [String] = []
        for name in try names() where name.hasSuffix(".conflist") {
            let path = "\(configurations)/\(name)"
            guard let object = try? read(path), let list = object["plugins"] as? [[String: Any]] else { continue }
            let rest = list.filter { $0["type"] as? String != "netpold" }
            guard rest.count < list.count else { continue }
            let singles = [".conf", ".json"].map { "\(configurations)/\(stem(name))\($0)\(CNIInstaller.original)" }
            if let single = singles.first(where: { access($0, F_OK) == 0 }) {
                let before = String(single.dropLast(CNIInstaller.original.count))
                // Its owner has written it again: that is the newer one.
                if access(before, F_OK) == 0 {
                    try remove(single)
                    try remove(path)
                    done.append("removed \(path), beside \(before)")
                    continue
                }
                // Else somebody changed it meanwhile: it stays as it is, without netpold.
                if let object = try? read(single), rest.count == 1, same([unnamed(object)], rest) {
                    try move(single, to: before)
                    try remove(path)
                    done.append("put \(before) back in place of \(path)")
                    continue
                }
                try remove(single)
            }
            let saved = path + CNIInstaller.original
            var without = object
            without["plugins"] = rest
            if let before = try? read(saved), same([before], [without]) {
                try move(saved, to: path)
                done.append("put \(path) back as it was")
            } else {
                // Somebody changed it meanwhile.
                var changed = object
                changed["plugins"] = rest
                try write(changed, to: path, mode(of: path))
                if access(saved, F_OK) == 0 { try remove(saved) }
                done.append("took netpold out of \(path)")
            }
        }
        let binary = "\(plugins)/netpold"
        if !keepsPlugin, access(binary, F_OK) == 0 {
            try remove(binary)
            done.append("removed \(binary)")
        }
        return done
    }

    /// A value of netpold's part of a configuration.
    public enum Option: Hashable, Sendable {
        case text(String)
        case number(Int)

        fileprivate var json: Any {
            switch self {
            case .text(let text): text
            case .number(let number): number
            }
        }
    }

    /// The configuration that runtimes use: of all that libcni reads, the first by name.
    private func configuration() throws(SystemError) -> String {
        let found = try names().filter { name in [".conflist", ".conf", ".json"].contains { name.hasSuffix($0) } }
        guard let first = found.first else {
            throw SystemError(
                "read", configurations, nil, detail: "no network configuration is there",
                hint: "install the network plugin first, or name its folder with --conf-dir")
        }
        return first
    }

    private func names() throws(SystemError) -> [String] {
        do {
            return try FolderNames.read(configurations).sorted()
        } catch {
            throw SystemError("list", configurations, error)
        }
    }

    /// A configuration of one plugin as it stands in a list.
    private func unnamed(_ object: [String: Any]) -> [String: Any] {
        var first = object
        for key in ["cniVersion", "name"] { first[key] = nil }
        return first
    }

    private func stem(_ name: String) -> String {
        name.split(separator: ".", omittingEmptySubsequences: false).dropLast().joined(separator: ".")
    }

    private func read(_ path: String) throws(SystemError) -> [String: Any] {
        let bytes = try FileContent.read(path, limit: CNIInstaller.limit)
        guard let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
            throw SystemError("read", path, nil, detail: "this is no JSON object")
        }
        return object
    }

    private func same(_ left: [[String: Any]], _ right: [[String: Any]]) -> Bool {
        left.count == right.count
            && zip(left, right).allSatisfy { NSDictionary(dictionary: $0) == NSDictionary(dictionary: $1) }
    }

    /// Who may read and write a file: what takes its place lets the same.
    private func mode(of path: String) throws(SystemError) -> mode_t {
        var status = stat()
        try SystemError.check("read", path) { stat(path, &status) }
        return status.st_mode & 0o777
    }

    /// Keeps a copy of a file beside it. Runtimes do not read files of this name.
    private func keep(_ path: String, _ mode: mode_t) throws(SystemError) {
        let bytes = try FileContent.read(path, limit: CNIInstaller.limit)
        try write(bytes, to: path + CNIInstaller.original, mode: mode)
    }

    private func write(_ object: [String: Any], to path: String, _ mode: mode_t) throws(SystemError) {
        let options: JSONSerialization.WritingOptions = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? JSONSerialization.data(withJSONObject: object, options: options) else {
            throw SystemError("write", path, nil, detail: "it cannot be written as JSON")
        }
        try write(Array(data) + [UInt8(ascii: "\n")], to: path, mode: mode)
    }

    /// Copies a program. `false`: it is there already.
    private func copy(_ source: String, to target: String) throws(SystemError) -> Bool {
        let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: source)) ?? source
        if access(target, X_OK) == 0, FileManager.default.contentsEqual(atPath: path, andPath: target) { return false }
        let bytes = try FileContent.read(source, limit: 1 << 30)
        try write(bytes, to: target, mode: 0o755)
        return true
    }

    /// Writes beside the file and renames: runtimes read the old file or the new one.
    private func write(_ bytes: [UInt8], to path: String, mode: mode_t) throws(SystemError) {
        // No name that a runtime reads.
        let draft = "\(path).netpold-new"
        try FileContent.replace(path, with: bytes, draft: draft, permissions: FilePermissions(rawValue: mode))
    }

    private func move(_ path: String, to target: String) throws(SystemError) {
        try SystemError.check("rename", path) { rename(path, target) }
    }

    private func remove(_ path: String) throws(SystemError) {
        try SystemError.check("remove", path) { unlink(path) }
    }
}
