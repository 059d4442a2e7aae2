import Testing

@testable import Datapath

@Suite("the pod in a process's cgroup")
struct PodCgroupTests {
    static let uid = "8f0c1c9e-52a4-4a86-9d38-0e2a4c7c9d11"
    private static let underscored = "8f0c1c9e_52a4_4a86_9d38_0e2a4c7c9d11"
    private static let staticUID = "0123456789abcdef0123456789abcdef"

    @Test(
        "both drivers, both versions, every class of service, nested kubelets, static pods, other cgroup namespaces",
        arguments: [
            ("0::/kubepods/burstable/pod\(uid)/6f1c\n", uid),
            ("0::/kubepods/pod\(uid)\n", uid),
            ("0::/kubepods/besteffort/pod\(staticUID)/c\n", staticUID),
            (
                "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod\(underscored).slice/cri-containerd-6f.scope\n",
                uid
            ),
            ("0::/kubepods.slice/kubepods-pod\(underscored).slice/crio-6f.scope\n", uid),
            ("0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod\(staticUID).slice\n", staticUID),
            (
                "0::/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod\(underscored).slice/a\n",
                uid
            ),
            ("0::/kubelet/kubepods/burstable/pod\(uid)/c\n", uid),
            ("0::/docker/6f1c/kubelet/kubepods/pod\(uid)/c\n", uid),
            ("0::/../../kubepods-burstable.slice/kubepods-burstable-pod\(underscored).slice/x.scope\n", uid),
            (
                "12:pids:/kubepods/burstable/pod\(uid)/c\n11:memory:/kubepods/burstable/pod\(uid)/c\n1:name=systemd:/kubepods/burstable/pod\(uid)/c\n0::/\n",
                uid
            ),
        ])
    func found(file: String, uid: String) {
        #expect(PodCgroup.uids(in: file.utf8) == [uid])
    }

    @Test(
        "no pod",
        arguments: [
            "", "0::/\n", "0::/user.slice/user-0.slice/session-1.scope\n", "0::/docker/6f1c\n", "garbage", "::", "0::",
            "0::/kubepods/burstable\n", "0::/pod\(uid)/c\n", "0::/other/pod\(uid)\n",
            "0::/machine-pod\(underscored).slice\n",
            "0::/kubepods/pod\n", "0::/kubepods/podx\(uid)\n", "0::/kubepods/pod\(uid)0\n", "0::/kubepods/pod../x\n",
            "0::/kubepods/pod8f0c1c9e-52a4-4a86-9d38-0e2a4c7c9dZZ\n", "0::/kubepods.slice/kubepods-pod.slice\n",
        ])
    func none(file: String) {
        #expect(PodCgroup.uids(in: file.utf8) == [])
    }

    @Test("a pod that names a cgroup of its own after another pod stays itself")
    func hostile() {
        let other = "00000000-0000-0000-0000-000000000000"
        for path in [
            "0::/kubepods/burstable/pod\(Self.uid)/c/kubepods/pod\(other)\n",
            "0::/kubepods.slice/kubepods-pod\(Self.underscored).slice/kubepods-pod\(other.replacing("-", with: "_")).slice\n",
            "0::/kubepods/burstable/pod\(Self.uid)/kubepods-pod\(other.replacing("-", with: "_")).slice/x\n",
        ] { #expect(PodCgroup.uids(in: path.utf8) == [Self.uid]) }
    }

    @Test("cut off after any byte, a file names its pod or nobody")
    func truncated() {
        let file =
            "12:pids:/kubepods/burstable/pod\(Self.uid)/c\n0::/kubepods.slice/kubepods-pod\(Self.underscored).slice/a\n"
        let bytes = Array(file.utf8)
        for length in 0...bytes.count {
            #expect(PodCgroup.uids(in: bytes.prefix(length)).isSubset(of: [Self.uid]), "\(length)")
        }
        #expect(PodCgroup.uids(in: [0xff, 0xfe, 0x00, 0x3a, 0x3a, 0x2f]) == [])
    }

    @Test("the link of a namespace is read, and nothing else")
    func links() {
        #expect(ProcessNamespaces.inode(inLink: "net:[4026531840]".utf8) == 4_026_531_840)
        for other in [
            "", "net:[]", "net:[4026531840", "mnt:[4026531840]", "net:[-1]", "net:[99999999999999999999]", "(deleted)",
        ] {
            #expect(ProcessNamespaces.inode(inLink: other.utf8) == nil)
        }
    }
}
