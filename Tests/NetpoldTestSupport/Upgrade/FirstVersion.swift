import Foundation

/// An object with the maps of version 1 that later versions read: layouts as Tests/Golden/abi/v1.txt records them, no programs.
public enum FirstVersion {
    private static let source = """
        #include <linux/bpf.h>
        #include <bpf/bpf_helpers.h>

        struct np_address { __be32 word[4]; };
        struct np_flow_key {
            struct np_address low; struct np_address high; __be16 low_port; __be16 high_port; __u8 protocol; __u8 pad[3];
        };
        struct np_flow_side { __u32 revision; __u32 role; };
        struct np_flow { struct np_flow_side side[2]; __u64 last_seen; __u32 flags; __u32 pad; };
        struct np_endpoint {
            struct np_address address[2]; __u32 revision; __u32 flags; __u32 policy[2]; __u32 ifindex; __u32 pad[3];
        };
        struct {
            __uint(type, BPF_MAP_TYPE_LRU_HASH);
            __uint(max_entries, 1024);
            __type(key, struct np_flow_key);
            __type(value, struct np_flow);
        } np_flows SEC(".maps");
        struct {
            __uint(type, BPF_MAP_TYPE_ARRAY);
            __uint(max_entries, 4096);
            __type(key, __u32);
            __type(value, struct np_endpoint);
        } np_endpoints SEC(".maps");
        char v1_license[] SEC("license") = "Dual BSD/GPL";
        """

    /// Compiles it.
    ///
    /// - Throws: when clang refuses.
    public static func object() throws -> [UInt8] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "netpold-v1-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "v1.bpf.c")
        try source.write(to: file, atomically: false, encoding: .utf8)
        return try SecondVersion.compile(file, over: folder)
    }
}
