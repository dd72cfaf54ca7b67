import GatewayClient
import Glibc
import Machine

let packagedConfiguration = "/etc/hearth/hearthd.toml"

/// Lets hearthd judge its configuration file, with the file alone: not the settings that this shell's environment
/// may hold. Nil when there is no file at the packaged place and none was named, as on a development machine.
func configurationCheck(named file: String?, program: String? = nil) -> DoctorCheck? {
    let name = "configuration file"
    let path = file ?? packagedConfiguration
    guard access(path, R_OK) == 0 else {
        switch errno {
        case ENOENT where file == nil: return nil
        case EACCES:
            return DoctorCheck(
                name, .warning, "\(path) is not yours to read: not checked", advice: "use sudo hearth doctor")
        case let code:
            return DoctorCheck(name, .error, "\(path): \(systemErrorText(code))", advice: "name the file with --config")
        }
    }
    guard let program = program ?? installedProgram("hearthd") else {
        return DoctorCheck(
            name, .warning, "\(path) was not checked: hearthd is not installed here", advice: "install hearthd")
    }
    guard let result = try? ChildProcess(running: program, ["--config", path, "--check-config"]) else {
        return DoctorCheck(
            name, .warning, "\(path) was not checked: \(program) does not start", advice: "reinstall hearthd")
    }
    switch result.exitCode {
    case 0: return DoctorCheck(name, .ok, "\(path) is valid")
    case EX_CONFIG:
        return DoctorCheck(
            name, .error, "\(path) is not valid\n" + excerpt(result.output),
            advice: "correct the file, then: sudo systemctl reload hearthd")
    case let code:
        let how = code.map { "exit code \($0)" } ?? "no end within 10 s"
        return DoctorCheck(
            name, .warning, "\(program) --check-config failed (\(how))\n" + excerpt(result.output),
            advice: "run it yourself: \(program) --config \(path) --check-config")
    }
}

/// The first lines that say something.
private func excerpt(_ output: String) -> String {
    output.split(separator: "\n").prefix(20).joined(separator: "\n")
}

/// The program of this name beside this one, or else where packages put programs.
func installedProgram(_ name: String) -> String? {
    var link = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &link, link.count)
    let own = count > 0 ? String(decoding: link[..<count].map(UInt8.init(truncatingIfNeeded:)), as: UTF8.self) : ""
    let beside = own.lastIndex(of: "/").map { String(own[..<$0]) }
    let directories = [beside].compactMap { $0 } + ["/usr/bin", "/usr/sbin", "/usr/local/bin"]
    return directories.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
}
