public import NetTypes
public import Support

/// The addresses that are the node's own: where traffic with the identity `host` comes from and goes to.
public enum LocalAddresses {
    /// All addresses of the calling thread's namespace, sorted, each once: of every scope, loopback included.
    public static func current() throws(SystemError) -> [IPAddress] {
        Array(Set(try NetlinkSocket().addresses().map(\.address))).sorted()
    }
}
