public import BPFEmit
import CLibNL
import Glibc
public import Support

/// Finds the network namespaces mounted in a folder, and which interfaces here lead into them.
public enum NamespaceScanner {
    /// Where `ip netns` and container runtimes mount namespaces.
    public static let systemFolder = "/run/netns"

    /// What a scan found, and what it could not look at.
    public struct Scan: Sendable {
        /// Namespaces, by path. One without a way to here has no interfaces; the scanning namespace is left out.
        public var namespaces: [MountedNamespace]
        /// Mounts that could not be read, for example because they vanished meanwhile.
        public var failures: [SystemError]
    }

    /// Looks at every mount in `folder`, seen from the calling thread's namespace. A folder that is not there is empty.
    ///
    /// A link counts only when both ends name each other and the kernel's number for the namespace agrees, so a veth
    /// between two other namespaces is never taken for one of ours.
    /// - Throws: `SystemError` when the own namespace cannot be read.
    public static func scan(_ folder: String) throws(SystemError) -> Scan {
        let socket = try NetlinkSocket()
        let here = try socket.links()
        var result = Scan(namespaces: [], failures: [])
        let own = try? FileIdentity(of: "/proc/thread-self/ns/net")
        for name in (try? FolderNames.read(folder)) ?? [] {
            let path = "\(folder)/\(name)"
            let identity = try? FileIdentity(of: path)
            if identity == own { continue }
            do {
                let namespace = try NetworkNamespace(path: path)
                let number = try socket.number(of: namespace)
                let inside = try namespace.run {
                    let socket = try NetlinkSocket()
                    return (links: try socket.links(), addresses: try socket.addresses())
                }
                let interfaces = inside.links.compactMap { link in
                    interface(link, number: number, here: here, addresses: inside.addresses)
                }
                result.namespaces.append(
                    MountedNamespace(
                        path: path, name: name, inode: identity?.inode ?? 0,
                        interfaces: interfaces.sorted { $0.insideIndex < $1.insideIndex }))
            } catch let error as SystemError {
                result.failures.append(error)
            } catch {
                result.failures.append(SystemError("scan namespace", path, nil, detail: "\(error)"))
            }
        }
        return result
    }

    private static func interface(
        _ link: LinkRecord, number: Int32?, here: [LinkRecord], addresses: [AddressRecord]
    ) -> MountedNamespace.Interface? {
        guard let number, link.peerIndex != 0,
            let peer = here.first(where: {
                $0.index == link.peerIndex && $0.peerIndex == link.index && $0.peerNamespace == number
            })
        else { return nil }
        let own = addresses.filter { $0.interface == link.index && $0.isGlobal }
        return .init(
            ifindex: UInt32(peer.index), name: peer.name, insideName: link.name, insideIndex: UInt32(link.index),
            addresses: own.map(\.address).sorted())
    }
}
