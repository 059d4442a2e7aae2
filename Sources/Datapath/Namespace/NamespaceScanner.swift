public import BPFEmit
import CLibNL
import Glibc

/// Finds the network namespaces mounted in a folder, and which interfaces here lead into them.
public enum NamespaceScanner {
    /// Where `ip netns` and container runtimes mount namespaces.
    public static let systemFolder = "/run/netns"

    /// What a scan found, and what it could not look at.
    public struct Scan: Sendable {
        /// Namespaces, by path. One without a way to here has no interfaces; the scanning namespace is left out.
        public var namespaces: [MountedNamespace]
        /// Mounts that could not be read, for example because they vanished meanwhile.
        public var failures: [NetlinkError]
    }

    /// Looks at every mount in `folder`, seen from the calling thread's namespace. A folder that is not there is empty.
    ///
    /// A link counts only when both ends name each other and the kernel's number for the namespace agrees, so a veth
    /// between two other namespaces is never taken for one of ours.
    /// - Throws: `NetlinkError` when the own namespace cannot be read.
    public static func scan(_ folder: String) throws(NetlinkError) -> Scan {
        let socket = try NetlinkSocket()
        let here = try socket.links()
        var result = Scan(namespaces: [], failures: [])
        let own = identity(of: "/proc/thread-self/ns/net")
        for name in DirectoryListing.names(in: folder) {
            let path = "\(folder)/\(name)"
            if identity(of: path) == own { continue }
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
                        path: path, name: name, inode: identity(of: path).last ?? 0,
                        interfaces: interfaces.sorted { $0.insideIndex < $1.insideIndex }))
            } catch let error as NetlinkError {
                result.failures.append(error)
            } catch {
                result.failures.append(NetlinkError("scan namespace", path, message: "\(error)"))
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

    /// Device and inode of a namespace file: equal for the same namespace.
    private static func identity(of path: String) -> [UInt64] {
        var status = stat()
        return stat(path, &status) == 0 ? [UInt64(status.st_dev), UInt64(status.st_ino)] : []
    }
}
