import CNetpoldABI
import Glibc
import SystemPackage

/// Where one instance of netpold keeps what must outlive its process: `/sys/fs/bpf/netpold/<instance>/v<ABI>/`. Beside it
/// lies what programs of other versions left.
public struct PinPath: Hashable, Sendable {
    /// The root of the file system.
    public static let defaultRoot = "/sys/fs/bpf"

    /// The bpffs.
    public let root: String
    /// The instance's name.
    public let instance: String
    /// The version of the layouts, `NP_ABI_VERSION`.
    package let version: Int

    /// The folder of an instance.
    ///
    /// - Throws: `EINVAL` when the name is not one of letters, digits and hyphens.
    public init(instance: String, root: String = defaultRoot) throws(BPFError) {
        try self.init(instance: instance, root: root, version: Int(NP_ABI_VERSION))
    }

    /// The folder of an instance, for programs of any version.
    package init(instance: String, root: String, version: Int) throws(BPFError) {
        let isName = instance.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isName, !instance.isEmpty, instance.utf8.count <= 63 else {
            throw BPFError(
                .createFolder, "instance \"\(instance)\"", errno: .invalidArgument,
                detail: "a name is 1 to 63 letters, digits and hyphens")
        }
        self.root = root
        self.instance = instance
        self.version = version
    }

    /// Holds the maps: one file each, named after them.
    public var folder: String { "\(root)/netpold/\(instance)/v\(version)" }

    /// Holds the links that attach programs to interfaces.
    public var links: String { "\(folder)/links" }

    /// Makes the folders, mounting the file system if nobody has.
    ///
    /// - Throws: naming the folder or the mount that failed.
    public func create() throws(BPFError) {
        if !Libbpf.isBPFFilesystem(root) { try Libbpf.mountBPFFilesystem(at: root) }
        for path in ["\(root)/netpold", "\(root)/netpold/\(instance)", folder, links] {
            try Libbpf.createFolder(path)
        }
    }

    /// The folders of other versions, older and newer ones, that are there; sorted.
    func others() throws(BPFError) -> [String] {
        try Libbpf.names(in: base).map { "\(base)/\($0)" }.filter { $0 != folder }
    }

    /// Moves the instance's folder aside, beside those of other versions: what it holds cannot be used as it is.
    func setAside() throws(BPFError) {
        let taken = Set(try Libbpf.names(in: base))
        var number = 1
        while taken.contains("v\(version)-\(number)") { number += 1 }
        let target = "\(folder)-\(number)"
        try Libbpf.call(.createFolder, target) { rename(folder, target) }
    }

    /// Removes one folder of pins: its links first, so that nothing stays attached to maps that are going. Again after a
    /// removal that was interrupted.
    func remove(folder: String) throws(BPFError) {
        for inner in ["\(folder)/links", folder] {
            for name in try Libbpf.names(in: inner) where name != "links" { try Libbpf.unpin("\(inner)/\(name)") }
            try Libbpf.removeFolder(inner)
        }
    }

    /// Removes every pin of the instance, of whatever ABI version: links first, so that nothing stays attached to maps
    /// that are going. What other processes hold open lives on.
    ///
    /// - Returns: the number of pins removed.
    @discardableResult
    public func removeAll() throws(BPFError) -> Int {
        var removed = 0
        for path in try pinned() where try Libbpf.unpin(path) { removed += 1 }
        for folder in try folders() { try Libbpf.removeFolder(folder) }
        try Libbpf.removeFolder(base)
        return removed
    }

    /// Removes every pin of the instance but those of links at pods' hooks, and the folders that are empty then.
    public func removeAllButHooks() throws(BPFError) {
        for path in try pinned() {
            let name = path.split(separator: "/").last.map(String.init) ?? ""
            if Hook(pinName: name) == nil { try Libbpf.unpin(path) }
        }
        for folder in try folders() + [base] where try Libbpf.names(in: folder).isEmpty {
            try Libbpf.removeFolder(folder)
        }
    }

    /// The paths of every pin of the instance, of whatever ABI version: links first.
    public func pinned() throws(BPFError) -> [String] {
        var paths: [String] = []
        for folder in try folders() {
            paths += try Libbpf.names(in: folder).filter { $0 != "links" }.map { "\(folder)/\($0)" }
        }
        return paths
    }

    private var base: String { "\(root)/netpold/\(instance)" }

    /// The folders that hold pins, each after the folders inside it.
    private func folders() throws(BPFError) -> [String] {
        try Libbpf.names(in: base).flatMap { ["\(base)/\($0)/links", "\(base)/\($0)"] }
    }
}
