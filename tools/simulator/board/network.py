# Wi-Fi of the simulated board: an access point that takes a while, and can go away.
#
# SIM_WIFI_SSID and SIM_WIFI_PASSWORD say what the access point is called and wants; without them
# any network is found and any password is right. The commands {"cmd": "wifi", "state": "down"} and
# "up" switch it off and on. The board has no network stack of its own: its sockets are this
# machine's and stay open while the Wi-Fi is down, so a firmware has to ask its WLAN.

import os
import time

import sim

STA_IF = 0
AP_IF = 1
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
STAT_BEACON_TIMEOUT = 200
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202
STAT_ASSOC_FAIL = 203
STAT_HANDSHAKE_TIMEOUT = 204
AP_ADDRESS = "192.168.4.1"  # of every ESP32 in its own network; socket.py moves it to loopback
AUTH_OPEN = 0
AUTH_WPA2_PSK = 3

_ssid = os.getenv("SIM_WIFI_SSID")
_password = os.getenv("SIM_WIFI_PASSWORD")
_delay_ms = int(os.getenv("SIM_WIFI_MS") or 300)
_on_air = os.getenv("SIM_WIFI") != "down"
_hostname = "mpy-esp32"
_country = "XX"


def hostname(name=None):
    global _hostname
    if name is None:
        return _hostname
    _hostname = name


def country(code=None):
    global _country
    if code is None:
        return _country
    _country = code


class WLAN:
    IF_STA = 0
    IF_AP = 1
    PM_NONE = 0
    PM_PERFORMANCE = 1
    PM_POWERSAVE = 2
    SEC_OPEN = 0
    SEC_WPA2 = 3
    _interfaces = {}

    def __new__(cls, interface=0):
        wlan = cls._interfaces.get(interface)
        if wlan is None:
            wlan = cls._interfaces[interface] = super().__new__(cls)
            wlan._interface = interface
            wlan._active = False
            wlan._status = STAT_IDLE
            wlan._since = 0
            wlan._end = STAT_IDLE
            wlan._config = {"reconnects": -1, "pm": 1, "txpower": 20, "channel": 6}
        return wlan

    def __init__(self, interface=0):
        pass

    def active(self, value=None):
        if value is None:
            return self._active
        if bool(value) != self._active and self._interface == AP_IF:
            self._open_or_close(value)
        self._active = bool(value)
        if not value:
            self._status = STAT_IDLE

    # The board's own network.
    def _open_or_close(self, value):
        if value and self._config.get("security") == AUTH_WPA2_PSK:
            if not 8 <= len(self._config.get("key", "")) <= 63:
                raise OSError("Wifi Internal Error")
        ssid = self._config.get("ssid", "ESP_000001")
        secured = self._config.get("security", AUTH_OPEN) != AUTH_OPEN
        sim.tell("access_point", active=bool(value), ssid=ssid, secured=secured)

    def connect(self, ssid=None, key=None, *, bssid=None):
        if not self._active:
            raise OSError("Wifi Not Started")
        self._config["ssid"] = ssid
        if _ssid is not None and ssid != _ssid:
            self._end = STAT_NO_AP_FOUND
        elif _password is not None and key != _password:
            self._end = STAT_WRONG_PASSWORD
        else:
            self._end = STAT_GOT_IP
        self._status = STAT_CONNECTING
        self._since = time.ticks_ms()

    def disconnect(self):
        self._status = STAT_IDLE

    def isconnected(self):
        return self.status() == STAT_GOT_IP

    def status(self, what=None):
        sim.poll()
        if what == "rssi":
            return -55 if self._status == STAT_GOT_IP else 0
        if what is not None:
            raise ValueError("unknown status param")
        if self._status == STAT_CONNECTING:
            if time.ticks_diff(time.ticks_ms(), self._since) > _delay_ms:
                self._status = self._end if _on_air else STAT_NO_AP_FOUND
        elif self._status == STAT_GOT_IP and not _on_air:
            self._status = STAT_BEACON_TIMEOUT
        return self._status

    def config(self, *names, **values):
        if values:
            self._config.update(values)
            return None
        if names[0] == "mac":
            return bytes.fromhex(os.getenv("SIM_UNIQUE_ID") or "246f28000001")
        return self._config[names[0]]

    def scan(self):
        if not _on_air:
            return []
        return [((_ssid or "home").encode(), b"\x02\0\0\0\0\1", 6, -55, AUTH_WPA2_PSK, False)]

    def ifconfig(self, *args):
        if self._interface == AP_IF:
            return (AP_ADDRESS, "255.255.255.0", AP_ADDRESS, AP_ADDRESS)
        return ("127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.1")

    def ipconfig(self, *names, **values):
        return ("127.0.0.1", "255.0.0.0") if names else None


def _wifi(command):
    global _on_air
    if command["state"] not in ("up", "down"):
        raise ValueError("the state of the Wi-Fi is up or down")
    _on_air = command["state"] == "up"


sim.on("wifi", _wifi)
