import BPFEmit
import Foundation
import NetTypes

/// A file of libcni's result cache, read. Two forms are known: since libcni 0.8 an envelope that names the container, its pod
/// and the result; before, the bare result.
struct CNICacheEntry: Hashable {
    /// Why a file was left out.
    enum Refusal: Error, Hashable {
        /// It is no JSON of the expected shape.
        case notCache
        /// It is an envelope of a kind that is not known.
        case unknownKind(String)
        /// It tells neither interfaces nor addresses.
        case empty
        /// A value in it is not what it should be.
        case badValue(String, String)
    }

    /// The runtime's number for the sandbox.
    var containerID: String
    /// The interface's name inside.
    var interface: String
    /// The pod; empty parts are not told.
    var pod: PodReference
    /// The path of the namespace, or empty.
    var netns: String
    /// Interfaces on the host's side, sorted by name.
    var hostInterfaces: [CNIAttachment.HostInterface]
    /// Addresses of the container's side, sorted.
    var addresses: [IPAddress]

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - bytes: its content.
    ///   - name: its name, `network-container-interface`: early versions tell container and interface only there.
    /// - Throws: why the file says nothing.
    init(_ bytes: [UInt8], name: String) throws(Refusal) {
        guard let file = try? JSONDecoder().decode(File.self, from: Data(bytes)) else { throw .notCache }
        let named = CNICacheEntry.parts(ofName: name)
        let result: Result
        if let kind = file.kind {
            guard kind == "cniCacheV1" else { throw .unknownKind(String(kind.prefix(64))) }
            guard let inner = file.result else { throw .empty }
            result = inner
        } else {
            result = Result(interfaces: file.interfaces, ips: file.ips, ip4: file.ip4, ip6: file.ip6)
        }
        guard result.interfaces?.isEmpty == false || result.hasAddresses else { throw .empty }

        containerID = file.containerId ?? named.container
        interface = file.ifName ?? named.interface
        guard CNICacheEntry.isInterfaceName(interface) else { throw .badValue("ifName", interface) }
        pod = try CNICacheEntry.pod(file.cniArgs ?? [])
        let interfaces = result.interfaces ?? []
        let sandboxes = Set(interfaces.compactMap(\.sandbox).filter { !$0.isEmpty })
        netns = file.netns ?? (sandboxes.count == 1 ? sandboxes.first ?? "" : "")
        guard netns.isEmpty || netns.hasPrefix("/") else { throw .badValue("netns", netns) }
        hostInterfaces = try CNICacheEntry.hostInterfaces(interfaces)
        addresses = try CNICacheEntry.addresses(result, interfaces)
    }

    // MARK: the shape

    private struct File: Decodable {
        var kind: String?
        var containerId: String?
        var ifName: String?
        var netns: String?
        var cniArgs: [[String]]?
        var result: Result?
        // The bare result.
        var interfaces: [Interface]?
        var ips: [Address]?
        var ip4: OldAddress?
        var ip6: OldAddress?
    }

    private struct Result: Decodable {
        var interfaces: [Interface]?
        var ips: [Address]?
        var ip4: OldAddress?
        var ip6: OldAddress?

        var hasAddresses: Bool { ips?.isEmpty == false || ip4 != nil || ip6 != nil }
    }

    private struct Interface: Decodable {
        var name: String
        var mac: String?
        var sandbox: String?
    }

    private struct Address: Decodable {
        var address: String
        var interface: Int?
    }

    /// Of results before 0.3.
    private struct OldAddress: Decodable {
        var ip: String
    }

    // MARK: the values

    /// `K8S_POD_NAMESPACE` and its like.
    private static func pod(_ arguments: [[String]]) throws(Refusal) -> PodReference {
        var pod = PodReference()
        for argument in arguments where argument.count == 2 {
            switch argument[0] {
            case "K8S_POD_NAMESPACE": pod.namespace = argument[1]
            case "K8S_POD_NAME": pod.name = argument[1]
            case "K8S_POD_UID": pod.uid = argument[1]
            default: continue
            }
        }
        for (key, value) in [("namespace", pod.namespace), ("name", pod.name), ("UID", pod.uid)] {
            guard isName(value) else { throw .badValue("pod \(key)", value) }
        }
        // A name without namespace, or the reverse, names nobody.
        if pod.name.isEmpty != pod.namespace.isEmpty { (pod.namespace, pod.name) = ("", "") }
        return pod
    }

    private static func hostInterfaces(_ interfaces: [Interface]) throws(Refusal) -> [CNIAttachment.HostInterface] {
        var found: [CNIAttachment.HostInterface] = []
        for interface in interfaces where interface.sandbox?.isEmpty != false {
            guard isInterfaceName(interface.name) else { throw .badValue("interfaces[].name", interface.name) }
            found.append(.init(name: interface.name, mac: interface.mac?.lowercased() ?? ""))
        }
        return found.sorted { ($0.name, $0.mac) < ($1.name, $1.mac) }
    }

    /// The addresses of interfaces inside. One that says of no interface whose it is, is the container's.
    private static func addresses(_ result: Result, _ interfaces: [Interface]) throws(Refusal) -> [IPAddress] {
        var texts: [String] = [result.ip4?.ip, result.ip6?.ip].compactMap(\.self)
        for address in result.ips ?? [] {
            if let index = address.interface {
                guard interfaces.isEmpty || interfaces.indices.contains(index) else {
                    throw .badValue("ips[].interface", "\(index)")
                }
                if !interfaces.isEmpty, interfaces[index].sandbox?.isEmpty != false { continue }
            }
            texts.append(address.address)
        }
        var found: Set<IPAddress> = []
        for text in texts {
            guard let address = IPAddress(parsing: String(text.prefix { $0 != "/" })) else {
                throw .badValue("ips[].address", text)
            }
            found.insert(address)
        }
        return found.sorted()
    }

    /// Container and interface of `network-container-interface`. Networks' names may hold hyphens, and so may interfaces':
    /// the container is the last long word of hexadecimal digits.
    private static func parts(ofName name: String) -> (container: String, interface: String) {
        let words = name.split(separator: "-", omittingEmptySubsequences: false)
        let isContainer = { (word: Substring) in word.utf8.count >= 12 && word.allSatisfy(\.isHexDigit) }
        guard words.count >= 3, let last = words.lastIndex(where: isContainer), last > 0, last + 1 < words.count else {
            return ("", words.count >= 3 ? String(words[words.count - 1]) : "")
        }
        return (String(words[last]), words[(last + 1)...].joined(separator: "-"))
    }

    /// At most 15 bytes, as the kernel has it.
    private static func isInterfaceName(_ name: String) -> Bool {
        (1...15).contains(name.utf8.count) && name.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "/") }
    }

    /// What can be a name or a UID in Kubernetes, or nothing.
    private static func isName(_ text: String) -> Bool {
        text.utf8.count <= 253
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}

extension CNICacheEntry.Refusal: CustomStringConvertible {
    /// In words.
    var description: String {
        switch self {
        case .notCache: "not a CNI result"
        case .unknownKind(let kind): "a cache of the unknown kind \"\(kind)\""
        case .empty: "it has no interface and no address"
        case .badValue(let field, let value): "\(field) cannot be \"\(value.prefix(64))\""
        }
    }
}
